//! What is wrong with what was sent, as a person reads it.

/// A sentence, and the field it is about; none when it is about the whole form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Id and name of the control.
    pub field: Option<&'static str>,
    /// The sentence.
    pub text: String,
}
