"""Tests of the ordering family."""
