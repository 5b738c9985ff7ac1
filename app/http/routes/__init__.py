"""Routes parse, delegate and answer; they decide nothing."""
