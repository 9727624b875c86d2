//! What a process opens a database for, and so whether it is granted permits. Any number of processes
//! dial from one database: which of them sends is decided by the permit alone, one at a time.

use store::StoreError;

/// What a process opens a database for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To dial, together with whoever else does so.
    Dial(Durability),
    /// For anything else, beside processes that may be dialling. Permits are refused.
    Beside,
}

/// What must be known of a permit before its request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It is on the disk of the server that granted it. What a server takes along when it is lost, a
    /// standby that takes over does not know.
    Local,
    /// It is on the disk of a synchronous standby, too: asked of the server after every permit, because
    /// a wait for the standby that was cut short looks like success.
    Required,
}

/// Whether permits are granted to this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    ToDial,
    None,
}

impl Right {
    /// # Errors
    /// When this process must not dial.
    pub(crate) fn check(self) -> Result<(), StoreError> {
        match self {
            Right::ToDial => Ok(()),
            Right::None => Err(StoreError::broken(
                "this process did not open the database to dial",
            )),
        }
    }
}
