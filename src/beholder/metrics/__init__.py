"""How well numbers follow people's opinions: plain arithmetic on paired vectors."""
