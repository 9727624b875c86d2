//! Encrypted connections to a real server, with a certificate of an authority that the test makes.

use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use store::StoreError;
use store_postgres::{Durability, PostgresStore, Purpose};
use tempfile::TempDir;
use testkit::pg::Server;

use crate::trouble::admin;

/// A server that encrypts, certified for `localhost`.
struct Encrypting {
    server: Server,
    authority: PathBuf,
    stranger: PathBuf,
    _folder: TempDir,
}

/// The file of an authority, and what a server whom it vouches for needs.
fn certified(file: &Path) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&key).expect("signed").pem();
    std::fs::write(file, pem).expect("written");
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let signed = server.signed_by(&key, &issuer).expect("signed");
    (signed.pem(), key.serialize_pem())
}

/// Writes a file that only the server may read.
fn write_for(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .expect("opened");
    std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
    let owner = folder.metadata().expect("a folder");
    chown(&path, Some(owner.uid()), Some(owner.gid())).expect("given away");
}

impl Encrypting {
    async fn start() -> Encrypting {
        let server = Server::start().expect("a server");
        let folder = tempfile::tempdir().expect("a folder");
        let (authority, stranger) = (folder.path().join("authority"), folder.path().join("stranger"));
        let (certificate, key) = certified(&authority);
        certified(&stranger);
        let admin = admin(&server.url("postgres")).await;
        let row = admin.query_one("SHOW data_directory", &[]).await.expect("shown");
        let cluster = PathBuf::from(row.get::<_, &str>(0));
        write_for(&cluster, "server.crt", &certificate);
        write_for(&cluster, "server.key", &key);
        // Ann must prove her password, and only over an encrypted connection.
        let rules = std::fs::read_to_string(cluster.join("pg_hba.conf")).expect("rules");
        let rules = format!("hostssl all ann all scram-sha-256\nhostnossl all ann all reject\n{rules}");
        std::fs::write(cluster.join("pg_hba.conf"), rules).expect("written");
        for sql in [
            "CREATE ROLE ann SUPERUSER LOGIN PASSWORD 'hush'",
            "ALTER SYSTEM SET ssl = on",
            "SELECT pg_reload_conf()",
        ] {
            admin.simple_query(sql).await.expect("done");
        }
        let server = Encrypting {
            server,
            authority,
            stranger,
            _folder: folder,
        };
        server.wait().await;
        server
    }

    /// Waits until new connections can be encrypted.
    async fn wait(&self) {
        for _ in 0..200 {
            if self.open("localhost", "sslmode=require").await.is_ok() {
                return;
            }
        }
        panic!("the server does not encrypt");
    }

    fn url(&self, host: &str, query: &str) -> String {
        let url = self.server.url("postgres").replace("127.0.0.1", host);
        format!("{url}?{query}")
    }

    async fn open(&self, host: &str, query: &str) -> Result<PostgresStore, StoreError> {
        PostgresStore::open(&self.url(host, query), Purpose::Dial(Durability::Local)).await
    }

    /// Whether a store's connections are encrypted.
    async fn encrypts(&self, host: &str, query: &str) -> bool {
        let _open = self.open(host, query).await.expect("opened");
        let admin = admin(&self.server.url("postgres")).await;
        let sql = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                   WHERE application_name = 'redial'";
        let row = admin.query_one(sql, &[]).await.expect("read");
        row.get(0)
    }

    async fn refusal(&self, host: &str, query: &str) -> String {
        let refused = self.open(host, query).await.err().expect("refused");
        chain(&refused)
    }
}

/// An error with everything below it.
fn chain(error: &dyn std::error::Error) -> String {
    let below = error.source().map_or(String::new(), chain);
    format!("{error}: {below}")
}

#[tokio::test]
async fn the_address_decides_whether_it_is_encrypted_and_who_is_believed() {
    let server = Encrypting::start().await;
    let (ours, theirs) = (server.authority.display(), server.stranger.display());

    assert!(server.encrypts("127.0.0.1", "").await, "where it can be");
    assert!(!server.encrypts("127.0.0.1", "sslmode=disable").await);
    assert!(server.encrypts("127.0.0.1", "sslmode=require").await);
    let full = format!("sslmode=verify-full&sslrootcert={ours}");
    assert!(server.encrypts("localhost", &full).await);
    let authority = format!("sslmode=verify-ca&sslrootcert={ours}");
    assert!(server.encrypts("127.0.0.1", &authority).await);
    let require = format!("sslmode=require&sslrootcert={ours}");
    assert!(server.encrypts("127.0.0.1", &require).await);

    let words = server.refusal("127.0.0.1", &full).await;
    assert!(words.contains("is not for the host in the address"), "{words}");
    for query in [
        "sslmode=verify-full".to_owned(),
        format!("sslmode=verify-full&sslrootcert={theirs}"),
        format!("sslmode=require&sslrootcert={theirs}"),
    ] {
        let words = server.refusal("localhost", &query).await;
        assert!(words.contains("nobody who is believed vouches for"), "{words}");
    }
}

#[tokio::test]
async fn a_password_is_bound_to_the_encrypted_connection() {
    let server = Encrypting::start().await;
    let url = server.url("localhost", "sslmode=require&channel_binding=require");
    let url = url.replace("postgres@", "ann:hush@");
    let opened = PostgresStore::open(&url, Purpose::Dial(Durability::Local)).await;
    opened.map(drop).expect("the proof fits the certificate");
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_is_refused_where_it_must() {
    let database = testkit::Database::fresh();
    let url = format!("{}?sslmode=require", database.url());
    let refused = PostgresStore::open(&url, Purpose::Dial(Durability::Local))
        .await
        .err();
    let words = chain(&refused.expect("refused"));
    assert!(words.contains("server does not support TLS"), "{words}");
    let url = format!("{}?sslmode=prefer", database.url());
    let opened = PostgresStore::open(&url, Purpose::Dial(Durability::Local)).await;
    opened.map(drop).expect("opened without");
}
