"""Scripts that draft the reviewed tables of ``model/language/tables``; run by hand, once for each new set."""
