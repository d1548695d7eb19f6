"""What is measured of the product from outside; nothing here is imported by it."""
