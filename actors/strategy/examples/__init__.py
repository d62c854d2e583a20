"""Strategies to read and to start from. They show the interface; nobody promises that they earn money."""
