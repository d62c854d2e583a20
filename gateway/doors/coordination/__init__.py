"""What instances agree on, outside of any of them: a contract with two backends, and the door between it and the bus."""
