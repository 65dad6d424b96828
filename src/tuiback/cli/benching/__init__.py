"""What `bench` is made of: data to back up, the tools compared, and the clock that is the same for all of them."""
