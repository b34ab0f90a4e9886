"""Tests of the positioning family."""
