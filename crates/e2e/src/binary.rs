//! Where the binary under test lies. Called by `process.rs` before anything is started.

use std::path::PathBuf;

/// The environment's word for it, set by `cargo xtask ci`.
const VARIABLE: &str = "REDIAL_BIN";

/// The path of the binary: the environment's, else the one that cargo put beside this test.
///
/// # Panics
/// When there is none: a test that silently ran an absent binary would prove nothing.
pub fn path() -> PathBuf {
    let path = std::env::var_os(VARIABLE).map_or_else(beside_this_test, PathBuf::from);
    assert!(
        path.is_file(),
        "no binary at {}: build it with `cargo build -p cli --bin redial`, or set {VARIABLE}",
        path.display()
    );
    path
}

/// Tests lie in `target/<profile>/deps`, binaries one folder above.
fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().expect("a running test knows its own path");
    let profile = test
        .parent()
        .and_then(|it| it.parent())
        .expect("cargo puts tests two folders deep");
    profile.join("redial")
}
