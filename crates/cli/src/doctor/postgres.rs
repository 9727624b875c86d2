//! What a PostgreSQL server says of itself: who can read along on the way to it, and what it may lose.

use store_postgres::Server;

use super::Finding;

/// What is found of a server.
pub fn judge(server: &Server) -> Vec<Finding> {
    vec![way(server), disk(server), copies(server)]
}

/// The way to the server.
fn way(server: &Server) -> Finding {
    let mut says = format!("PostgreSQL {}, ", server.version);
    match (&server.encryption, server.is_checked) {
        (Some(how), true) => says.push_str(&format!("encrypted ({how}), and its certificate is checked")),
        (Some(how), false) => {
            says.push_str(&format!(
                "encrypted ({how}), and its certificate is not looked at"
            ));
        }
        (None, _) if server.is_local => says.push_str("on this machine, not encrypted"),
        (None, _) => says.push_str("not encrypted"),
    }
    if server.is_pooled {
        says.push_str("; what is said of the encryption is so between the pooler and the server");
    }
    match (&server.encryption, server.is_checked) {
        (None, _) if !server.is_local => Finding::warning(
            "connection",
            says,
            "Whoever is on the way reads who is called. Set ssl=on at the server, and sslmode=verify-full in \
             DATABASE_URL.",
        ),
        (Some(_), false) if !server.is_local => Finding::warning(
            "connection",
            says,
            "Somebody on the way could pose as the server: set sslmode=verify-full in DATABASE_URL, with \
             sslrootcert=FILE where the authority is your own.",
        ),
        _ => Finding::ok("connection", says),
    }
}

/// Whether what the server answered is on its disk.
fn disk(server: &Server) -> Finding {
    if server.is_read_only {
        return Finding::problem(
            "writes",
            "the server takes none: it is a standby, or default_transaction_read_only is on",
            "Name the primary in DATABASE_URL, or all servers with commas between: redial takes the one that \
             takes writes.",
        );
    }
    if !server.unsafe_settings.is_empty() {
        return Finding::problem(
            "writes",
            format!(
                "{} off: when the server's machine fails, answered calls are lost, and somebody may be phoned twice",
                server.unsafe_settings.join(" and ")
            ),
            "Set fsync=on and full_page_writes=on at the server, as they are by default.",
        );
    }
    Finding::ok(
        "writes",
        format!(
            "fsync and full_page_writes are on; the server's synchronous_commit is {}, and redial sets its own",
            server.synchronous_commit
        ),
    )
}

/// How many machines have what was answered.
fn copies(server: &Server) -> Finding {
    let remedy = "A failover to a standby that lacks the last permits phones people twice: set \
                  synchronous_standby_names (with Patroni, synchronous_mode and synchronous_mode_strict).";
    match (server.has_synchronous_standbys, server.standbys) {
        (true, Some((0, _))) => Finding::warning(
            "standbys",
            "synchronous_standby_names is set, and no such standby streams: every change waits for one",
            "Start one; nothing is answered before.",
        ),
        (true, Some((synchronous, _))) => Finding::ok(
            "standbys",
            format!("{synchronous} synchronous: what is answered is on more than one machine"),
        ),
        (true, None) => Finding::ok(
            "standbys",
            "synchronous_standby_names is set; this role may not see who streams (GRANT pg_read_all_stats)",
        ),
        (false, Some((_, others))) if others > 0 => Finding::warning(
            "standbys",
            format!("{others}, none of them synchronous: each may lack what was answered last"),
            remedy,
        ),
        (false, Some(_)) => Finding::ok("standbys", "none: what is answered is on the server's disk alone"),
        (false, None) => Finding::skipped(
            "standbys",
            "none is synchronous; whether others stream this role may not see (GRANT pg_read_all_stats)",
            remedy,
        ),
    }
}

#[cfg(test)]
mod tests;
