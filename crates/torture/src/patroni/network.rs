//! A network of its own: a bridge, and a namespace for each machine with one cable to it. Gone when it is dropped.

use std::process::{Command, Stdio};

use crate::failure::{Failure, Saying as _};

/// The first three parts of every address: private, and unlikely to be anybody's.
const NET: &str = "10.213.47";
/// The bridge's own, at which this machine is reached.
const HERE: u32 = 1;
/// The first machine's.
const FIRST: u32 = 11;

/// A bridge with machines at it.
pub struct Network {
    /// Names the bridge, the cables and the namespaces: two networks at once have different ones.
    name: String,
    machines: usize,
}

impl Network {
    /// Makes one.
    ///
    /// # Errors
    /// Not root, or the kernel has no namespaces; what there was of it is gone again.
    pub fn make(machines: usize) -> Result<Network, Failure> {
        let network = Network {
            name: format!("rdl{}", std::process::id() % 100_000),
            machines,
        };
        let bridge = &network.name;
        run(&format!("ip link add {bridge} type bridge"))?;
        run(&format!("ip addr add {NET}.{HERE}/24 dev {bridge}"))?;
        run(&format!("ip link set {bridge} up"))?;
        for machine in 0..machines {
            let (space, cable) = (network.space(machine), network.cable(machine));
            let address = Network::address(machine);
            run(&format!("ip netns add {space}"))?;
            run(&format!(
                "ip link add {cable} type veth peer name eth0 netns {space}"
            ))?;
            run(&format!("ip link set {cable} master {bridge} up"))?;
            run(&format!("ip -n {space} addr add {address}/24 dev eth0"))?;
            run(&format!("ip -n {space} link set eth0 up"))?;
            run(&format!("ip -n {space} link set lo up"))?;
        }
        Ok(network)
    }

    /// At which address this machine is reached from the others.
    pub fn here() -> String {
        format!("{NET}.{HERE}")
    }

    /// A machine's address.
    pub fn address(machine: usize) -> String {
        format!("{NET}.{}", FIRST + u32::try_from(machine).unwrap_or(0))
    }

    /// All addresses there are.
    pub fn all() -> String {
        format!("{NET}.0/24")
    }

    /// A program to be run on a machine, or here.
    pub fn program(&self, machine: Option<usize>, program: &str) -> Command {
        let mut command = match machine {
            Some(machine) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &self.space(machine), "setpriv"]);
                command
            }
            None => Command::new("setpriv"),
        };
        // The server refuses to run as root.
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]);
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// Pulls a machine's cable, or puts it back.
    ///
    /// # Errors
    /// There is no such cable.
    pub fn cable_is(&self, machine: usize, whole: bool) -> Result<(), Failure> {
        run(&format!(
            "ip link set {} {}",
            self.cable(machine),
            if whole { "up" } else { "down" }
        ))
    }

    /// Drops what a machine and its like say to each other, and what it says to port `port` of any; whoever else reaches
    /// it still does.
    ///
    /// # Errors
    /// There is no nft, or the kernel does not take it.
    pub fn part(&self, machine: usize, port: u16) -> Result<(), Failure> {
        let others = (0..self.machines)
            .filter(|it| *it != machine)
            .map(Network::address);
        let others = others.collect::<Vec<_>>().join(", ");
        let rules = format!(
            "add table inet cut; \
             add chain inet cut out {{ type filter hook output priority 0; }}; \
             add chain inet cut in {{ type filter hook input priority 0; }}; \
             add rule inet cut out tcp dport {port} drop; \
             add rule inet cut out ip daddr {{ {others} }} drop; \
             add rule inet cut in ip saddr {{ {others} }} drop"
        );
        self.nft(machine, &rules)
    }

    /// Undoes [`Network::part`].
    ///
    /// # Errors
    /// There is nothing to undo.
    pub fn join(&self, machine: usize) -> Result<(), Failure> {
        self.nft(machine, "delete table inet cut")
    }

    fn nft(&self, machine: usize, rules: &str) -> Result<(), Failure> {
        let mut nft = Command::new("ip");
        finish(nft.args(["netns", "exec", &self.space(machine), "nft", rules]))
    }

    fn space(&self, machine: usize) -> String {
        format!("{}-{machine}", self.name)
    }

    fn cable(&self, machine: usize) -> String {
        format!("{}c{machine}", self.name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // What is left over shows in `ip netns` and `ip link`, under this process's number.
        for machine in 0..self.machines {
            let _ = run(&format!("ip netns del {}", self.space(machine)));
            let _ = run(&format!("ip link del {}", self.cable(machine)));
        }
        let _ = run(&format!("ip link del {}", self.name));
    }
}

/// Runs a command whose words hold no spaces.
fn run(line: &str) -> Result<(), Failure> {
    let mut words = line.split(' ');
    finish(Command::new(words.next().unwrap_or_default()).args(words))
}

fn finish(command: &mut Command) -> Result<(), Failure> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .saying(format_args!("{command:?}"))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(format!("{command:?}: {}", said.trim()).into())
}
