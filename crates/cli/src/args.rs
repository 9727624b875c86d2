//! The command line.

use clap::{Arg, ArgAction, Command, value_parser};

use crate::settings::with_flags;

/// Every command and its flags.
pub fn command() -> Command {
    Command::new("redial")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Phones people until they are reached: dials through Twilio, keeps the record of every attempt, tries again.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([serve(), demo(), sim(), call(), calls(), pause(), resume(), retry_due(), import(), backup(), prune(), copy(), config(), init(), doctor()])
}

fn serve() -> Command {
    with_flags(Command::new("serve").about("Takes calls over HTTP and dials them"))
}

fn demo() -> Command {
    Command::new("demo")
        .about("Shows it all with invented people and a simulated carrier; phones nobody")
        .arg(flag("listen", "ADDRESS", "address to listen on").default_value("127.0.0.1:8080"))
        .arg(
            flag("calls", "N", "how many calls are made")
                .default_value("300")
                .value_parser(value_parser!(u32).range(1..=100_000)),
        )
}

fn sim() -> Command {
    Command::new("sim")
        .about("A simulated carrier that speaks Twilio's API, for trying and testing")
        .arg(flag("listen", "ADDRESS", "address to listen on").default_value("127.0.0.1:8081"))
        .arg(flag("account-sid", "SID", "the account that it has").env("TWILIO_ACCOUNT_SID"))
        .arg(
            flag("auth-token", "TOKEN", "the account's token")
                .env("TWILIO_AUTH_TOKEN")
                .hide_env_values(true),
        )
        .arg(
            flag("speed", "FACTOR", "divides every ring and every talk")
                .default_value("1")
                .value_parser(value_parser!(f64)),
        )
        .arg(
            flag("seed", "N", "decides every draw")
                .default_value("1")
                .value_parser(value_parser!(u64)),
        )
        .arg(
            flag("answer-rate", "SHARE", "how many answer, 0 to 1")
                .default_value("0.6")
                .value_parser(value_parser!(f64)),
        )
        .arg(flag("cps", "N", "calls started a second, the rest queue").value_parser(value_parser!(f64)))
        .arg(
            flag("log", "LEVEL", "how much is logged")
                .env("REDIAL_LOG")
                .default_value("info"),
        )
}

fn call() -> Command {
    as_client(Command::new("call").about("Asks a running server for a call"))
        .arg(
            Arg::new("to")
                .value_name("TO")
                .required(true)
                .help("who is called, such as +15551230100"),
        )
        .arg(flag("from", "FROM", "the number that the called person sees").required(true))
        .arg(flag("user", "USER", "whose call it is").required(true))
        .arg(flag("message", "TEXT", "what is said"))
        .arg(switch(
            "wait",
            "show the attempts as they happen, and end when the call does",
        ))
}

fn calls() -> Command {
    let user = || flag("user", "USER", "whose calls").required(true);
    let list = as_client(Command::new("list").about("A user's calls, newest first"))
        .arg(user())
        .arg(flag("status", "STATUS", "only with this status"))
        .arg(flag("limit", "N", "at most so many").default_value("50"))
        .arg(flag("cursor", "CURSOR", "go on where a list ended"));
    let show = as_client(Command::new("show").about("One call with all its attempts"))
        .arg(
            Arg::new("id")
                .value_name("CALL")
                .required(true)
                .help("the call's id"),
        )
        .arg(user());
    Command::new("calls")
        .about("Looks at calls of a running server")
        .subcommand_required(true)
        .subcommands([list, show])
}

fn pause() -> Command {
    as_client(Command::new("pause").about("Stops all dialling; what is live goes on"))
}

fn resume() -> Command {
    as_client(Command::new("resume").about("Lets dialling go on"))
}

fn retry_due() -> Command {
    with_flags(
        Command::new("retry-due").about("Dials what is due, once, and ends: for cron, where no server runs"),
    )
}

fn import() -> Command {
    with_flags(
        Command::new("import").about("Takes over the calls of the prototype from what mongoexport wrote"),
    )
    .arg(
        Arg::new("file")
            .value_name("FILE")
            .required(true)
            .help("the export, `-` for standard input"),
    )
    .arg(switch("dry-run", "say what would be imported, and write nothing"))
    .arg(json())
}

fn backup() -> Command {
    with_flags(Command::new("backup").about("Copies the database to a file, beside a running server or without one"))
        .after_help("The copy is whole and checked when it appears. A server that is started on it dials nothing before it has asked the carrier what was dialled since; docs/backup.md says how to put one back.")
        .arg(Arg::new("file").value_name("FILE").required(true).help("where the copy goes"))
        .arg(switch("force", "replace the file if there is one"))
        .arg(json())
}

fn prune() -> Command {
    with_flags(Command::new("prune").about("Deletes calls that ended long ago, beside a running server or without one"))
        .after_help("Calls that are not over, or that the carrier is still asked about, stay; so does every call for 24 hours, because a key that came with it must find it. The file does not get smaller; what is free in it is used again.")
        .arg(flag("older-than", "AGE", "how long ago they ended at least, such as 90d").required(true))
        .arg(switch("dry-run", "only count them"))
        .arg(json())
}

fn copy() -> Command {
    Command::new("copy")
        .about("Moves everything into another, empty database: from a file to PostgreSQL, or back")
        .after_help("Stop every server first. What arrives is read back and compared; then the source is closed for good, so that nobody is dialled from both. A copy that is cut leaves the source as it was, or is finished by giving the same command once more; docs/moving.md says more.")
        .arg(flag("from", "URL", "the database that is moved: sqlite:FILE or postgres://...").required(true))
        .arg(flag("to", "URL", "where to: a file that is not there yet, or an empty database").required(true))
        .arg(json())
}

fn config() -> Command {
    with_flags(Command::new("config").about("Every setting, its value and where that comes from")).arg(json())
}

fn init() -> Command {
    Command::new("init")
        .about("Asks for the account, tries it, and writes a settings file")
        .after_help("The token is read from TWILIO_AUTH_TOKEN, else from the terminal or stdin; it is no flag, because flags can be seen by everybody on the machine.")
        .arg(flag("account-sid", "SID", "the account that dials").env("TWILIO_ACCOUNT_SID"))
        .arg(flag("from", "FROM", "the number that the first call comes from"))
        .arg(flag("to", "TO", "the number that it goes to: your own"))
        .arg(flag("base-url", "URL", "where the carrier reaches the server, if it does").env("BASE_URL"))
        .arg(flag("api-base", "URL", "where the carrier's API is, if elsewhere").env("TWILIO_API_BASE"))
        .arg(flag("config", "FILE", "the file that is written").default_value("redial.toml"))
        .arg(switch("force", "replace the file if there is one"))
}

fn doctor() -> Command {
    let about = "Says what is missing or wrong with this set-up, and what to do about it";
    with_flags(Command::new("doctor").about(about))
        .arg(switch(
            "deep",
            "read the whole database too, to see that nothing is damaged",
        ))
        .arg(json())
}

fn as_client(command: Command) -> Command {
    command
        .arg(
            flag("server", "URL", "the running server")
                .env("REDIAL_SERVER")
                .default_value("http://127.0.0.1:8080"),
        )
        .arg(
            flag("api-key", "KEY", "a key that it takes")
                .env("REDIAL_API_KEY")
                .hide_env_values(true),
        )
        .arg(json())
}

fn json() -> Arg {
    switch("json", "for machines: the answer as JSON")
}

fn flag(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

#[cfg(test)]
mod tests {
    //! The command line is consistent in itself.

    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
