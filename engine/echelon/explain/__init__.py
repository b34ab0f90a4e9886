"""What holds a plan back, what its rules cost, why there is none: told by solving again with a limit eased or a rule
left out."""
