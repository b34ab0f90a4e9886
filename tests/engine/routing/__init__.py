"""Tests of the routing search."""
