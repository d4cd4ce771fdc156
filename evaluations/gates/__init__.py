"""Gates: policies of adapters, decisions about versions with their verdict, and evidence packs."""
