"""The solvers: how a model reaches them and what comes back."""
