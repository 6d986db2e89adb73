"""Trains, checks and exports models of photos that the gateway serves."""
