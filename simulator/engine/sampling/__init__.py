"""Ways of drawing paths other than plainly: importance, quasi-random, stratified sampling."""
