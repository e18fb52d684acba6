//! What a diff of two made-up reports says.
