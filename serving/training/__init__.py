"""Trains, checks and exports the clothing model that the gateway serves."""
