"""How the database's tables came to be what they are; run when a store is opened."""
