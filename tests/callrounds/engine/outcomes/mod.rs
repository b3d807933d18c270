//! What conversations are taken for, on a corpus of labelled ones: [`corpus`] reads it, [`figures`] measures on the half that
//! nobody who made the rules has read, [`training`] makes the second opinion's weights from the other half.

pub mod corpus;
mod figures;
mod training;
