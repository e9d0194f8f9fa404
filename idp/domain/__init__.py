"""Operations: read and write rows, return frozen values or outcomes."""
