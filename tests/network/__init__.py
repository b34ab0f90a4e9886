"""Tests of the network family."""
