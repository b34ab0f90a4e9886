"""Routing: a neutral problem, exact timetables, and searches with OR-Tools and PyVRP. Start with `search.solve`."""
