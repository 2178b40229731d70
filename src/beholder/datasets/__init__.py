"""What people said: opinion tables, the field's formats, benchmark cards, splits."""
