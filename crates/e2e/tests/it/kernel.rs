//! A request that the server had written and the carrier had not received when the server was killed: it lies in the
//! kernel, which would deliver it later all by itself, after somebody else has decided what became of it.
//!
//! The way there is cut with a rule of the packet filter for one port of the loopback address, which takes root.

use std::fs;
use std::process::Command;

use e2e::{World, assert_truth, wait_for};
use serde_json::json;

/// A rule that lets connections come about on a port, and nothing be sent over them. Gone when it is dropped.
struct Cut {
    table: String,
}

impl Cut {
    /// # Panics
    /// When the filter's program is not there or refuses.
    fn make(port: u16) -> Cut {
        let cut = Cut {
            table: format!("redial_e2e_{port}"),
        };
        let table = &cut.table;
        nft(&format!(
            "add table inet {table}; add chain inet {table} out {{ type filter hook output priority 0; }}; \
             add rule inet {table} out tcp dport {port} tcp flags & psh == psh drop"
        ));
        cut
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        nft(&format!("delete table inet {}", self.table));
    }
}

fn nft(rules: &str) {
    let said = Command::new("nft").arg(rules).output();
    let said = said.expect("nft is there; on Debian, apt-get install nftables");
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{rules}: {words}");
}

/// Whether a rule can be made here: the first of the four user ids of this process is its own.
fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.is_some_and(|ids| ids.split_whitespace().next() == Some("0"))
}

/// How many connections to this port have bytes that were written and not received, by the kernel's own table.
fn with_unsent(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").expect("this is Linux");
    let unsent = |line: &&str| {
        let mut columns = line.split_whitespace().skip(2);
        let to = columns.next().and_then(|it| it.rsplit_once(':')).map(|it| it.1);
        let queue = columns.nth(1).and_then(|it| it.split_once(':')).map(|it| it.0);
        to == Some(&*format!("{port:04X}")) && queue.is_some_and(|it| it.contains(|digit| digit != '0'))
    };
    table.lines().filter(unsent).count()
}

#[test]
fn what_a_killed_server_had_not_got_through_yet_is_never_delivered() {
    if !is_root() {
        eprintln!("SKIPPED, nothing is tested: a rule of the packet filter takes root");
        return;
    }
    let mut world = World::start();
    let port = world.carrier().rsplit_once(':').and_then(|it| it.1.parse().ok());
    let port = port.expect("an address ends with its port");
    let cut = Cut::make(port);
    // Accepted at once, dialled at once; the caller is not kept waiting for a carrier that is silent.
    let call = world.ask("+15550000104", json!({"max_attempts": 4}));
    wait_for("the request to be written", || match with_unsent(port) {
        0 => Err("nothing is on its way".to_owned()),
        _ => Ok(()),
    });
    world.kill_dash_nine();
    assert_eq!(
        with_unsent(port),
        0,
        "the kernel keeps what the dead process wrote"
    );
    drop(cut);
    world.restart();
    let record = world.ended(&call);
    assert_eq!(record["attempts"][0]["status"], "unconfirmed", "{record}");
    let first = (call.call_id.clone(), 1);
    assert!(
        world.ledger().iter().all(|ring| ring.names() != first),
        "{record}"
    );
    assert_truth(&world);
}
