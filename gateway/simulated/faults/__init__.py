"""What a venue does wrong, on command. Pure."""
