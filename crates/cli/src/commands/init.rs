//! `redial init`: asks for the account, tries it, writes a settings file, and says which call to make first.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::ArgMatches;
use domain::Phone;
use engine::dice::SystemDice;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Misuse, Usage, runtime};
use crate::config::Config;
use crate::doctor::{Finding, Level, account, numbers};
use crate::settings::Settings;
use crate::{output, wiring};

/// Random bytes of an API key: 32 are twice what anybody could search through.
const KEY_BYTES: usize = 32;

/// Stands in the first call for a number that nobody has told us.
const YOUR_NUMBER: &str = "+1YOURNUMBER";

/// What was answered.
struct Answers {
    sid: String,
    token: SecretString,
    from: Option<Phone>,
    to: Option<Phone>,
}

/// Asks, tries, writes, and says what to do next.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let file = flags.get_one::<String>("config").cloned().unwrap_or_default();
    let path = Path::new(&file);
    let force = flags.get_flag("force");
    if path.exists() && !force {
        return misuse(format!(
            "{file} is there already; --force replaces it, --config FILE writes another"
        ));
    }
    let base_url = given(flags, "base-url");
    if let Some(base_url) = base_url {
        let anywhere = "https://localhost";
        carrier_twilio::can_call_back(anywhere, base_url).or_else(|fault| misuse(fault.to_string()))?;
    }
    let (from, to) = (number(flags, "from")?, number(flags, "to")?);
    let (sid, token) = credentials(flags)?;
    let api_base = given(flags, "api-base");
    let (caller, verified) = tried(&settings(&sid, &token, api_base))?;
    let asked = |name: &str, default: &Option<Phone>| match default {
        Some(number) => format!("{name} [{}]", number.reveal()),
        None => name.to_owned(),
    };
    let answers = Answers {
        from: match from {
            Some(from) => Some(from),
            None => ask_number(&asked("The number that calls come from", &caller), caller)?,
        },
        to: match to {
            Some(to) => Some(to),
            None => ask_number(&asked("Your own number, for the first call", &verified), verified)?,
        },
        sid,
        token,
    };
    let key = SystemDice::unguessable::<KEY_BYTES>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let text = written(&answers, &key, api_base, base_url);
    write(path, &text, force).with_context(|| format!("{file} cannot be written"))?;
    output::say(format_args!("{file} is written, for your eyes alone.\n"));
    next(&answers, &key, &file);
    Ok(ExitCode::SUCCESS)
}

/// The value of a flag, or of the variable that stands for it. An empty one is none.
fn given<'a>(flags: &'a ArgMatches, flag: &str) -> Option<&'a str> {
    let text = flags.get_one::<String>(flag)?.trim();
    (!text.is_empty()).then_some(text)
}

/// The account and its token, from where each is said first: flag, environment, question.
fn credentials(flags: &ArgMatches) -> anyhow::Result<(String, SecretString)> {
    let sid = match given(flags, "account-sid") {
        Some(sid) => sid.to_owned(),
        None => ask("Account SID (AC..., in the carrier's Console)")?.unwrap_or_default(),
    };
    if sid.is_empty() {
        return misuse("no account was named: --account-sid AC...");
    }
    if sid.starts_with("SK") {
        return misuse("that is the SID of an API key; the account's own begins with AC");
    }
    let token = match std::env::var("TWILIO_AUTH_TOKEN") {
        Ok(token) if !token.is_empty() => token,
        _ => ask_hidden("Auth token")?.unwrap_or_default(),
    };
    if token.is_empty() {
        return misuse("no token was given: set TWILIO_AUTH_TOKEN, or hand it in on stdin");
    }
    Ok((sid, SecretString::from(token)))
}

/// The settings that the file will make, as far as the account goes.
fn settings(sid: &str, token: &SecretString, api_base: Option<&str>) -> Settings {
    let settings = Settings::defaults()
        .with("twilio_account_sid", sid)
        .with("twilio_auth_token", token.expose_secret());
    match api_base {
        Some(api_base) => settings.with("twilio_api_base", api_base),
        None => settings,
    }
}

/// Tries the account at the carrier and says how that went. Gives a number that calls can come from, and for an
/// account on trial one that they can go to.
fn tried(settings: &Settings) -> anyhow::Result<(Option<Phone>, Option<Phone>)> {
    let config = Config::read(settings).map_err(|error| error.context(Usage))?;
    let carrier = wiring::asking(&config, false).map_err(|fault| anyhow::Error::new(fault).context(Usage))?;
    let runtime = runtime()?;
    let outcome = account::ask(&runtime, &carrier).outcome;
    let mut found = account::judge(&outcome, &config.account.api_base);
    let mut usable = (None, None);
    if found.iter().all(|finding| finding.level < Level::Problem) {
        let numbers = runtime.block_on(carrier.numbers());
        found.push(numbers::judge(&numbers));
        if let Ok(numbers) = &numbers {
            let (from, verified) = numbers::first(numbers);
            usable = (from.cloned(), verified.cloned());
        }
    }
    for finding in &found {
        output::say(finding.lines());
    }
    if found
        .iter()
        .any(|finding: &Finding| finding.level == Level::Problem)
    {
        output::say("The file is written all the same; `redial doctor` tries again.");
    }
    Ok(usable)
}

/// The telephone number of a flag, if it is given.
fn number(flags: &ArgMatches, flag: &str) -> anyhow::Result<Option<Phone>> {
    let Some(text) = given(flags, flag) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .or_else(|error| misuse(format!("--{flag} is `{text}`: {error}")))
}

/// Asks for a telephone number until one is given, or none.
fn ask_number(question: &str, default: Option<Phone>) -> anyhow::Result<Option<Phone>> {
    loop {
        let Some(text) = ask(question)? else {
            return Ok(default);
        };
        match text.parse() {
            Ok(number) => return Ok(Some(number)),
            Err(error) => output::say(format_args!("`{text}`: {error}")),
        }
    }
}

fn misuse<T>(words: impl Into<String>) -> anyhow::Result<T> {
    Err(Misuse(words.into()).into())
}

/// The file's text.
fn written(answers: &Answers, key: &str, api_base: Option<&str>, base_url: Option<&str>) -> String {
    let line = |name: &str, value: &str| format!("{name} = {}\n", toml::Value::from(value));
    let mut text = String::from(
        "# The settings of redial, written by `redial init`. `redial config` lists all that there are, `redial doctor`\n\
         # says whether these work. A variable of the environment is stronger than a line here.\n\n\
         # The account that dials, and the token that its callbacks are signed with.\n",
    );
    text += &line("twilio_account_sid", &answers.sid);
    text += &line("twilio_auth_token", answers.token.expose_secret());
    if let Some(api_base) = api_base {
        text += &line("twilio_api_base", api_base);
    }
    text += "\n# What programs must show to have somebody called: `Authorization: Bearer <key>`.\n";
    text += &line("api_keys", key);
    text += "\n# Where the carrier reaches this server. Without it, live calls are asked about instead of reported.\n";
    text += &base_url.map_or("# base_url = \"https://calls.example.com\"\n".to_owned(), |url| {
        line("base_url", url)
    });
    text
}

/// Writes the file so that only its owner can read it, and in one step, so that none is left half written.
fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    // Made for its owner alone.
    let mut new = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    let put = match force {
        true => new.persist(path),
        false => new.persist_noclobber(path),
    };
    put.map(drop).map_err(|error| error.error)
}

/// Says what to do now.
fn next(answers: &Answers, key: &str, file: &str) {
    let flag = if file == "redial.toml" {
        String::new()
    } else {
        format!(" --config {file}")
    };
    let from = answers.from.as_ref().map_or(YOUR_NUMBER, Phone::reveal);
    let to = answers.to.as_ref().map_or(YOUR_NUMBER, Phone::reveal);
    output::say("Start the server:\n");
    output::data(format_args!("    redial serve{flag}"));
    output::say("\nand in another terminal make the first call:\n");
    output::data(format_args!("    export REDIAL_API_KEY={key}"));
    output::data(format_args!(
        "    redial call {to} --from {from} --user me --message \"Hello from redial.\" --wait"
    ));
}

/// Asks a question and reads a line; an empty one, or none, is no answer.
fn ask(question: &str) -> anyhow::Result<Option<String>> {
    prompt(question);
    read_line()
}

/// Asks for a secret, which a terminal does not show as it is typed.
fn ask_hidden(question: &str) -> anyhow::Result<Option<String>> {
    prompt(question);
    let hidden = Hidden::begin();
    let line = read_line();
    if hidden.is_some() {
        // The line's end was hidden, too.
        output::say("");
    }
    line
}

fn prompt(question: &str) {
    let mut stderr = io::stderr();
    // Nobody to ask is no failure: what is not answered has a default or is named as missing.
    let _ = write!(stderr, "{question}: ");
    if !io::stdin().is_terminal() {
        let _ = writeln!(stderr);
    }
}

fn read_line() -> anyhow::Result<Option<String>> {
    let mut line = String::new();
    if let Err(error) = io::stdin().lock().read_line(&mut line) {
        bail!("stdin cannot be read: {error}");
    }
    let line = line.trim();
    Ok((!line.is_empty()).then(|| line.to_owned()))
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    /// `None` when stdin is no terminal: there is nothing to hide.
    fn begin() -> Option<Hidden> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent).ok()?;
        Some(Hidden(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that has gone away needs nothing back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests;
