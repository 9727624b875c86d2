//! Why a run could not be made, in words. What a run finds wrong is no failure of it: that is `check::Broken`.

/// Any error; a run ends with the first.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Puts words in front of an error.
pub trait Saying<T> {
    /// The same result, its error led by `what`.
    ///
    /// # Errors
    /// The same, with more words.
    fn saying(self, what: impl std::fmt::Display) -> Result<T, Failure>;
}

impl<T, E: std::fmt::Display> Saying<T> for Result<T, E> {
    fn saying(self, what: impl std::fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| format!("{what}: {error}").into())
    }
}
