//! The databases of a run: files on the measured disk, or databases on a throwaway PostgreSQL server whose folder is
//! there. Every row gets fresh ones.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use store::Store;
use store_postgres::PostgresStore;
use store_sqlite::SqliteStore;
use testkit::pg;

use crate::failure::{Failure, Saying};

/// Which store is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// A server on the same machine.
    Postgres,
}

/// Where databases are made.
pub enum Place {
    /// In this folder.
    Folder(PathBuf),
    /// On this server, which syncs.
    Server(Box<pg::Server>),
}

/// One database.
#[derive(Clone)]
pub struct Database {
    /// How it is called.
    pub name: String,
    /// As the measured server is told.
    pub url: String,
    /// The file, if it is one.
    file: Option<PathBuf>,
}

impl Place {
    /// Makes one in `folder`.
    ///
    /// # Errors
    /// No server can be started.
    pub fn make(kind: Kind, folder: &Path) -> Result<Place, Failure> {
        Ok(match kind {
            Kind::Sqlite => Place::Folder(folder.to_owned()),
            Kind::Postgres => {
                // The server may run as another user.
                std::fs::set_permissions(folder, Permissions::from_mode(0o755)).saying(folder.display())?;
                Place::Server(Box::new(pg::Server::durable(folder)?))
            }
        })
    }

    /// An empty database.
    ///
    /// # Errors
    /// What the server said.
    pub fn database(&self, name: &str) -> Result<Database, Failure> {
        let name = name.to_owned();
        match self {
            Place::Folder(folder) => {
                let file = folder.join(format!("{name}.db"));
                let url = format!("sqlite:{}", file.display());
                Ok(Database {
                    name,
                    url,
                    file: Some(file),
                })
            }
            Place::Server(server) => {
                sql(server, &format!("CREATE DATABASE {name} TEMPLATE template0"))?;
                let url = server.url(&name);
                Ok(Database {
                    name,
                    url,
                    file: None,
                })
            }
        }
    }

    /// Removes a database that nobody needs any more.
    pub fn drop_database(&self, database: &Database) {
        match self {
            Place::Folder(folder) => {
                let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
                let name = format!("{}.db", database.name);
                for entry in entries.filter(|it| it.file_name().to_string_lossy().starts_with(&name)) {
                    // What stays is removed with the folder.
                    let _ = std::fs::remove_file(entry.path());
                }
            }
            Place::Server(server) => {
                let _ = sql(server, &format!("DROP DATABASE {} WITH (FORCE)", database.name));
            }
        }
    }
}

/// What a database is opened for.
#[derive(Clone, Copy)]
pub enum Purpose {
    /// To write calls by the engine's own steps, permits included.
    Dial,
    /// To write whole calls.
    Alone,
    /// To read.
    Beside,
}

impl Database {
    /// Opens it past the measured server.
    ///
    /// # Errors
    /// What the store says.
    pub async fn open(&self, purpose: Purpose) -> Result<Arc<dyn Store>, Failure> {
        if let Some(file) = &self.file {
            let purpose = match purpose {
                Purpose::Dial => store_sqlite::Purpose::Dial { wait: Duration::ZERO },
                Purpose::Alone => store_sqlite::Purpose::Alone,
                Purpose::Beside => store_sqlite::Purpose::Beside,
            };
            return Ok(Arc::new(SqliteStore::open(file, purpose)?));
        }
        let purpose = match purpose {
            Purpose::Dial => store_postgres::Purpose::Dial(store_postgres::Durability::Local),
            Purpose::Alone | Purpose::Beside => store_postgres::Purpose::Beside,
        };
        Ok(Arc::new(PostgresStore::open(&self.url, purpose).await?))
    }
}

fn sql(server: &pg::Server, statement: &str) -> Result<(), Failure> {
    testkit::sql(&server.url("postgres"), statement).saying(statement)?;
    Ok(())
}
