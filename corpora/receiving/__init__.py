"""How bytes come in: in one piece, or bit by bit until they are whole."""
