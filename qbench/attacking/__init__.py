"""What the stage attack does around an attack: draw the inputs, keep the results, measure them."""
