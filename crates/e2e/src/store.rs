//! Where a world keeps its calls: a file, a database of its own on a server, or the same through a pooler.
//!
//! Made by the world's builder, and gone with the world.

use std::path::Path;

use crate::database::Database;
use crate::pooler::Pooler;

/// The environment's word for the store of every world that does not choose one itself.
const VARIABLE: &str = "REDIAL_E2E_STORE";

/// The kinds of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file in the world's folder.
    Sqlite,
    /// A database on the server that the tests share.
    Postgres,
    /// The same, with a PgBouncer in transaction mode before it.
    Pooled,
}

impl Store {
    /// What the environment wants; a file if it says nothing.
    ///
    /// # Panics
    /// When it says what is not known: a suite that ran on another store would prove nothing of the wanted one.
    #[must_use]
    pub fn of_the_suite() -> Self {
        match std::env::var(VARIABLE).as_deref() {
            Err(_) | Ok("sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok("pooled") => Self::Pooled,
            Ok(other) => panic!("{VARIABLE}={other} must be sqlite, postgres or pooled"),
        }
    }

    /// Makes an empty one.
    pub(crate) fn make(self, folder: &Path) -> Place {
        if self == Self::Sqlite {
            return Place {
                url: format!("sqlite:{}", folder.join("redial.db").display()),
                _pooler: None,
                database: None,
            };
        }
        let database = Database::fresh();
        let pooler = (self == Self::Pooled).then(|| Pooler::before(&database.url()));
        let url = match &pooler {
            Some(pooler) => format!("{}?pgbouncer=true", pooler.url(&database.url())),
            None => database.url(),
        };
        Place {
            url,
            _pooler: pooler,
            database: Some(database),
        }
    }
}

/// One world's place for calls.
pub(crate) struct Place {
    /// Its address, as the server takes it.
    pub(crate) url: String,
    /// Kept for its end; before the database's, which it is connected to.
    _pooler: Option<Pooler>,
    /// None is a file.
    pub(crate) database: Option<Database>,
}
