"""`regrow explain`: what of a text stands word for word in what a checkpoint was trained on."""
