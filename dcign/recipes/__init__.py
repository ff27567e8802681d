"""Recipes: everything that makes one way of training differ from another."""
