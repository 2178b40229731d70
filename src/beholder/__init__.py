"""Beholder scores pictures and videos the way people rate them."""
