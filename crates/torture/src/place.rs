//! Where calls are remembered during a run: a file on a small disk of its own, or a PostgreSQL server. And what can be
//! done to it.

use std::fs::{File, Permissions, create_dir};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;
use testkit::pg::Server;

use crate::failure::{Failure, Saying as _};

/// Which store is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Store {
    /// The file of one node.
    Sqlite,
    /// One server for all nodes.
    Postgres,
}

/// How large the small disk is: room for some twenty thousand calls.
const DISK: &str = "size=512m";
/// The same for a server: its own files, and its log of what it writes until it begins to use that anew.
const SERVERS_DISK: &str = "size=1536m,mode=755";
/// How much is written at once to fill it.
const PIECE: usize = 1 << 20;

/// Where calls are remembered.
pub enum Place {
    /// In this folder, a disk of its own if that could be made.
    Folder(Disk),
    /// On a server, which goes before its disk.
    Server(Box<Server>, Disk),
}

/// A small disk, in memory.
pub struct Disk {
    /// Where it is mounted.
    pub folder: PathBuf,
    /// Why it is no disk of its own.
    pub refused: Option<String>,
    /// Of a server's disk, which another user must be able to enter.
    _own: Option<TempDir>,
}

impl Place {
    /// Makes one inside `folder`.
    ///
    /// # Errors
    /// No server can be started, or no folder made.
    pub fn make(store: Store, folder: &Path) -> Result<Place, Failure> {
        if store == Store::Postgres {
            let own = tempfile::Builder::new()
                .prefix("redial-torture-server-")
                .tempdir()?;
            std::fs::set_permissions(own.path(), Permissions::from_mode(0o755))?;
            let disk = Disk::mount(own.path().to_owned(), SERVERS_DISK, Some(own));
            let place = Place::Server(Box::new(Server::durable(&disk.folder)?), disk);
            place.sql("CREATE DATABASE redial TEMPLATE template0")?;
            return Ok(place);
        }
        let folder = folder.join("disk");
        create_dir(&folder).saying(folder.display())?;
        Ok(Place::Folder(Disk::mount(folder, DISK, None)))
    }

    /// The disk that the calls are on.
    pub fn disk(&self) -> &Disk {
        match self {
            Place::Folder(disk) | Place::Server(_, disk) => disk,
        }
    }

    /// What a node is told, reached by way of `link` where there is a network.
    pub fn url(&self, link: Option<SocketAddr>) -> String {
        match (self, link) {
            (Place::Folder(disk), _) => format!("sqlite:{}", disk.folder.join("redial.db").display()),
            (Place::Server(..), Some(link)) => format!("postgres://postgres@{link}/redial"),
            (Place::Server(server, _), None) => server.url("redial"),
        }
    }

    /// Where the server listens, if there is one.
    pub fn address(&self) -> Option<SocketAddr> {
        let Place::Server(server, _) = self else {
            return None;
        };
        let url = server.url("redial");
        let (_, place) = url.split_once('@')?;
        place.split_once('/')?.0.parse().ok()
    }

    /// Runs a statement as the server's owner, past every link.
    ///
    /// # Errors
    /// What the server said; there is none.
    pub fn sql(&self, statement: &str) -> Result<String, Failure> {
        let Place::Server(server, _) = self else {
            return Err("there is no server".into());
        };
        Ok(testkit::sql(&server.url("postgres"), statement)?)
    }
}

impl Disk {
    fn mount(folder: PathBuf, size: &str, own: Option<TempDir>) -> Disk {
        let size = std::ffi::CString::new(size).expect("no zero in it");
        let mounted = mount(
            "tmpfs",
            &folder,
            "tmpfs",
            MountFlags::empty(),
            Some(size.as_c_str()),
        );
        let refused = mounted.err();
        Disk {
            refused: refused.map(|error| format!("no disk of its own can be mounted: {error}")),
            folder,
            _own: own,
        }
    }

    /// Leaves no room on it.
    ///
    /// # Errors
    /// The file that fills it cannot be made.
    pub fn fill(&self) -> Result<(), Failure> {
        let mut file = File::create(self.filler()).saying("no file to fill the disk with")?;
        let piece = vec![0; PIECE];
        while file.write_all(&piece).is_ok() {}
        // What is left of a piece.
        while file.write_all(&piece[..512]).is_ok() {}
        Ok(())
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn empty(&self) -> Result<(), Failure> {
        std::fs::remove_file(self.filler()).saying("the file that filled the disk")
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.refused.is_none() {
            // Still in use only when a node could not be killed; the folder tells then.
            let _ = unmount(&self.folder, UnmountFlags::DETACH);
        }
    }
}
