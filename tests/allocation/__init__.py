"""Tests of the allocation family."""
