"""A recorded capture as the background of a venue."""
