//! Three PostgreSQL servers that Patroni keeps: one is the primary, one confirms every commit, one follows. And etcd, by
//! which they agree. It knows nothing of redial.

use std::fs::{File, create_dir};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use e2e::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use testkit::pg::programs;

use super::network::Network;
use crate::failure::{Failure, Saying as _};

/// How many servers.
pub const MEMBERS: usize = 3;
/// Where etcd answers.
pub const ETCD_PORT: u16 = 2379;
/// Where Patroni answers.
const PATRONI_PORT: u16 = 8008;
/// A file system in memory.
const MEMORY: &str = "/dev/shm";
/// How long a server that was lost may take to find back by itself.
const BACK_WITHIN: Duration = Duration::from_secs(45);
/// How long a cluster may take to be whole: a member may have to copy the primary.
const WHOLE_WITHIN: Duration = Duration::from_secs(240);
/// How often it is looked whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a member may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Servers and what keeps them.
pub struct Cluster {
    /// Where they are.
    pub network: Network,
    /// How often a server had to be made anew.
    pub made_anew: u64,
    etcd: Child,
    /// Where etcd keeps what was agreed: in memory, because a disk that others use may make it miss its times.
    _agreed: TempDir,
    members: Vec<Option<Child>>,
    folder: PathBuf,
}

impl Cluster {
    /// Starts one in `folder` and waits until it has a primary and a confirming standby.
    ///
    /// # Errors
    /// Something is missing, or does not come up.
    pub fn start(folder: &Path) -> Result<Cluster, Failure> {
        let folder = folder.join("cluster");
        create_dir(&folder).saying(folder.display())?;
        give_away(&folder)?;
        // The way there must be open to the other user.
        let parent = folder.parent().unwrap_or(&folder);
        std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755))?;
        let network = Network::make(MEMBERS)?;
        let agreed = tempfile::tempdir_in(MEMORY).saying(MEMORY)?;
        give_away(agreed.path())?;
        let etcd = etcd(&network, &folder, agreed.path())?;
        let mut cluster = Cluster {
            network,
            made_anew: 0,
            etcd,
            _agreed: agreed,
            members: Vec::new(),
            folder,
        };
        for member in 0..MEMBERS {
            cluster.members.push(None);
            let sockets = cluster.folder.join(format!("socket-{member}"));
            create_dir(&sockets).saying(sockets.display())?;
            give_away(&sockets)?;
            std::fs::write(cluster.settings(member), settings(member, &cluster.folder)?)?;
            cluster.start_member(member)?;
        }
        cluster.wait_until_whole()?;
        Ok(cluster)
    }

    /// Runs a statement as the owner of everything, on the primary.
    ///
    /// # Errors
    /// There is none, or what it said.
    pub fn sql(&self, statement: &str) -> Result<(), Failure> {
        let primary = self.primary().ok_or("there is no primary")?;
        let url = format!("postgres://postgres:admin@{}/postgres", Network::address(primary));
        testkit::sql(&url, statement)?;
        Ok(())
    }

    /// The address of a database, whoever is the primary.
    pub fn url(database: &str, user: &str) -> String {
        let hosts: Vec<String> = (0..MEMBERS).map(Network::address).collect();
        format!(
            "postgres://{user}:secret@{}/{database}?target_session_attrs=read-write",
            hosts.join(",")
        )
    }

    /// Who says of itself that it is the primary; the first, if several do.
    pub fn primary(&self) -> Option<usize> {
        (0..MEMBERS).find(|member| self.says_primary(*member))
    }

    /// Whether this member says that it is the primary.
    pub fn says_primary(&self, member: usize) -> bool {
        ask(member, "/primary").is_some_and(|(status, _)| status == 200)
    }

    /// Waits until somebody else than `old` is the primary.
    ///
    /// # Errors
    /// Nobody is, in time.
    pub fn wait_for_another(&self, old: usize) -> Result<usize, Failure> {
        let until = Instant::now() + WHOLE_WITHIN;
        while Instant::now() < until {
            if let Some(new) = (0..MEMBERS).find(|it| *it != old && self.says_primary(*it)) {
                return Ok(new);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(self.words("nobody becomes the primary"))
    }

    /// Waits until there is a primary, a standby that confirms, and one that follows. A server that does not find back by
    /// itself, because it has what no other has any more, is made anew, as its operator would.
    ///
    /// # Errors
    /// It does not come to that in time.
    pub fn wait_until_whole(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut patience = BACK_WITHIN;
        while begun.elapsed() < WHOLE_WITHIN {
            let cluster = self
                .primary()
                .and_then(|it| ask(it, "/cluster"))
                .map(|(_, cluster)| cluster);
            if cluster.as_ref().is_some_and(is_whole) {
                return Ok(());
            }
            if let Some(cluster) = cluster.filter(|_| begun.elapsed() > patience) {
                // A copy takes its time.
                patience += 2 * BACK_WITHIN;
                for lost in (0..self.members.len()).filter(|it| !is_up(&cluster, *it)) {
                    eprintln!("server {} does not find back, and is made anew", lost + 1);
                    self.made_anew += 1;
                    self.make_anew(lost)?;
                }
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(self.words("the servers do not come together"))
    }

    fn make_anew(&mut self, member: usize) -> Result<(), Failure> {
        // It may have none yet.
        let _ = self.kill(member);
        let folder = self.folder.join(format!("data-{member}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).saying(folder.display())?;
        }
        self.start_member(member)
    }

    /// Kills a member's server and what keeps it, as a crash of its machine would.
    ///
    /// # Errors
    /// The server's process cannot be found.
    pub fn kill(&mut self, member: usize) -> Result<(), Failure> {
        if let Some(mut patroni) = self.members[member].take() {
            // Already ended is as good as killed.
            let _ = (patroni.kill(), patroni.wait());
        }
        self.signal_server(member, Signal::KILL)
    }

    /// Signals a member's server, if it runs: its own note of its process may be older than that.
    fn signal_server(&self, member: usize, signal: Signal) -> Result<(), Failure> {
        let folder = self.folder.join(format!("data-{member}"));
        let note = folder.join("postmaster.pid");
        let text = std::fs::read_to_string(&note).saying(note.display())?;
        let pid = text.lines().next().and_then(|it| it.trim().parse().ok());
        let pid = pid.ok_or("a note without a process")?;
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if let Some(pid) = Pid::from_raw(pid).filter(|_| line.contains(&folder.display().to_string())) {
            let _ = kill_process(pid, signal);
        }
        Ok(())
    }

    /// Starts a member that was killed.
    ///
    /// # Errors
    /// Patroni cannot be run.
    pub fn start_member(&mut self, member: usize) -> Result<(), Failure> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(format!("patroni-{member}.log")))?;
        let mut patroni = self.network.program(Some(member), "patroni");
        patroni
            .arg(self.settings(member))
            .stdout(log.try_clone()?)
            .stderr(log);
        self.members[member] = Some(patroni.spawn().saying("patroni")?);
        Ok(())
    }

    fn settings(&self, member: usize) -> PathBuf {
        self.folder.join(format!("patroni-{member}.yml"))
    }

    fn words(&self, what: &str) -> Failure {
        format!("{what}; logs are in {}", self.folder.display()).into()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in 0..self.members.len() {
            if let Some(mut patroni) = self.members[member].take() {
                let _ = (patroni.kill(), patroni.wait());
            }
            // There is none where it never came up.
            let _ = self.signal_server(member, Signal::QUIT);
        }
        let _ = (self.etcd.kill(), self.etcd.wait());
    }
}

fn is_whole(cluster: &Value) -> bool {
    let members = cluster["members"].as_array().map_or(&[][..], Vec::as_slice);
    let count = |role: &str| members.iter().filter(|it| it["role"] == role).count();
    let all_up = (0..MEMBERS).all(|member| is_up(cluster, member));
    count("leader") == 1 && count("sync_standby") == 1 && all_up
}

fn is_up(cluster: &Value, member: usize) -> bool {
    let members = cluster["members"].as_array().map_or(&[][..], Vec::as_slice);
    let mut own = members.iter().filter(|it| it["name"] == format!("pg{member}"));
    own.any(|it| matches!(it["state"].as_str(), Some("running" | "streaming")))
}

fn ask(member: usize, path: &str) -> Option<(u16, Value)> {
    let client = Client::with_patience(
        &format!("http://{}:{PATRONI_PORT}", Network::address(member)),
        ANSWER_WITHIN,
    );
    let answer = client.send("GET", path, &[], b"").ok()?;
    Some((
        answer.status,
        serde_json::from_str(&answer.text).unwrap_or_default(),
    ))
}

/// Gives a folder to the user that the servers run as.
fn give_away(folder: &Path) -> Result<(), Failure> {
    let users = std::fs::read_to_string("/etc/passwd").saying("/etc/passwd")?;
    let ids = users.lines().find_map(|line| {
        let mut fields = line.strip_prefix("postgres:")?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    let (user, group) = ids.ok_or("there is no user postgres")?;
    chown(folder, Some(user), Some(group)).saying(folder.display())
}

fn etcd(network: &Network, folder: &Path, agreed: &Path) -> Result<Child, Failure> {
    let (client, peer) = (
        format!("http://{}:{ETCD_PORT}", Network::here()),
        format!("http://{}:2380", Network::here()),
    );
    let log = File::create(folder.join("etcd.log"))?;
    let mut etcd = network.program(None, "etcd");
    etcd.args(["--name", "one", "--data-dir"])
        .arg(agreed.join("etcd"));
    etcd.args([
        "--listen-client-urls",
        &client,
        "--advertise-client-urls",
        &client,
    ]);
    etcd.args([
        "--listen-peer-urls",
        &peer,
        "--initial-advertise-peer-urls",
        &peer,
    ]);
    etcd.args(["--initial-cluster", &format!("one={peer}")]);
    etcd.stdout(log.try_clone()?).stderr(log).spawn().saying("etcd")
}

/// What Patroni is told: no commit without a standby's word, and as quick as it allows.
fn settings(member: usize, folder: &Path) -> Result<String, Failure> {
    let (address, etcd, all) = (Network::address(member), Network::here(), Network::all());
    let (folder, programs) = (folder.display(), programs()?);
    let programs = programs.display();
    Ok(format!(
        "scope: redial
name: pg{member}
restapi: {{listen: '{address}:{PATRONI_PORT}', connect_address: '{address}:{PATRONI_PORT}'}}
etcd3: {{hosts: '{etcd}:{ETCD_PORT}'}}
watchdog: {{mode: 'off'}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 4
    maximum_lag_on_failover: 1048576
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      parameters: {{shared_buffers: 32MB, max_connections: 100, wal_keep_size: 256MB}}
  initdb: [{{encoding: UTF8}}, {{locale: C}}, data-checksums]
postgresql:
  listen: '{address}:5432'
  connect_address: '{address}:5432'
  data_dir: {folder}/data-{member}
  bin_dir: {programs}
  pgpass: {folder}/pgpass-{member}
  basebackup: [{{checkpoint: fast}}]
  parameters: {{unix_socket_directories: {folder}/socket-{member}}}
  pg_hba: ['local all all trust', 'host all all {all} md5', 'host replication all {all} md5']
  authentication:
    superuser: {{username: postgres, password: admin}}
    replication: {{username: follower, password: follows}}
"
    ))
}
