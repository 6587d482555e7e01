"""Looks at a fit and its data without descending: gradient, graph, standard errors."""
