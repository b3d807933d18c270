//! The test harness: a practice's directory with the example campaigns, and the program started in it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::fixtures::REQUIRED;

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The recall campaign of most tests: the required keys up to and including the `[list]` table; `more` is appended, so it
/// starts inside `[list]`.
pub fn recall(more: &str) -> String {
    format!(
        "{REQUIRED}callback_number = \"+13125550100\"\n[list]\nfile = \"recall.csv\"\nmax_list_age = \"3650d\"\n{more}"
    )
}

/// A temporary directory that contains `campaigns/`.
pub struct Practice {
    folder: TempDir,
}

impl Practice {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        copy(&repository().join("campaigns"), &folder.path().join("campaigns"));
        Self { folder }
    }

    /// Adds `campaign` as `campaigns/recall.toml` and `list` as `campaigns/recall.csv`.
    pub fn with(campaign: &str, list: &str) -> Self {
        let practice = Self::new();
        practice.write("campaigns/recall.toml", campaign);
        practice.write("campaigns/recall.csv", list);
        practice
    }

    /// As [`Self::with`], on `/dev/shm` where it exists: a test that only sends `kill -9` needs no disk.
    pub fn in_memory(campaign: &str, list: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let practice = Self { folder: tempfile::tempdir_in(parent).expect("a directory") };
        fs::create_dir(practice.path("campaigns")).expect("a directory");
        practice.write("campaigns/recall.toml", campaign);
        practice.write("campaigns/recall.csv", list);
        practice
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program, started in this directory without the environment variables that change its behaviour.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).current_dir(self.folder());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> ProgramOutput {
        ProgramOutput::new(&self.command(arguments).output().expect("the program"))
    }

    pub fn run_against(&self, base_url: &str, arguments: &[&str]) -> ProgramOutput {
        let output = self.command(arguments).env("ANNIE_BASE_URL", base_url).output();
        ProgramOutput::new(&output.expect("the program"))
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> ProgramOutput {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the program");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
        ProgramOutput::new(&child.wait_with_output().expect("ended"))
    }

    /// Starts the program and waits until it has written `events` lines of JSON.
    pub fn start_until(&self, events: usize, arguments: &[&str], base_url: Option<&str>) -> RunningProgram {
        let mut command = self.command(arguments);
        command.envs(base_url.map(|url| ("ANNIE_BASE_URL", url)));
        RunningProgram::start_until(events, &mut command)
    }

    /// The JSON report of the newest run.
    pub fn report(&self) -> Value {
        let ended = self.run(&["report", "--format", "json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        serde_json::from_str(&ended.stdout).expect("a JSON document")
    }

    pub fn ledger(&self) -> Connection {
        Connection::open(self.path("campaigns/callrounds.db")).expect("a ledger")
    }

    /// Runs a query on the ledger that returns one number.
    pub fn count(&self, query: &str) -> i64 {
        self.ledger().query_row(query, [], |row| row.get(0)).expect("a number")
    }
}

/// The program without arguments and without settings or credentials in its environment; its output is piped.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callrounds"));
    let ours = |name: &str| ["ANNIE_", "CALLROUNDS_"].iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in std::env::vars_os().filter(|(name, _)| ours(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running program, with its standard output piped.
pub struct RunningProgram {
    child: Child,
    events: BufReader<ChildStdout>,
}

impl RunningProgram {
    /// Starts `command` and waits until it has written `events` lines of JSON.
    pub fn start_until(events: usize, command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the program");
        let mut events_reader = BufReader::new(child.stdout.take().expect("its output"));
        for _ in 0..events {
            let read = events_reader.read_line(&mut String::new()).expect("a line");
            assert!(read > 0, "the program ended before event {events}: {:?}", child.wait_with_output());
        }
        Self { child, events: events_reader }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status().expect("kill");
        assert!(sent.success(), "{signal}");
    }

    /// Waits until the program ends; returns what it has printed since the events that were awaited.
    pub fn wait(mut self) -> ProgramOutput {
        let mut stdout = String::new();
        std::io::Read::read_to_string(&mut self.events, &mut stdout).expect("text");
        let output = self.child.wait_with_output().expect("ended");
        ProgramOutput { stdout, ..ProgramOutput::new(&output) }
    }
}

/// The exit code (-1 if a signal ended the program) and the output of a program that has ended.
#[derive(Debug)]
pub struct ProgramOutput {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl ProgramOutput {
    pub fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Standard output as JSON lines.
    pub fn events(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// The last JSON line, which must be the summary.
    pub fn summary(&self) -> Value {
        let last = self.events().pop().unwrap_or_else(|| panic!("no line at all: {self:?}"));
        assert_eq!(last["type"], "summary", "{self:?}");
        last
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for file in fs::read_dir(from).expect("a directory").map(|file| file.expect("a file").path()) {
        let name = file.file_name().expect("a name");
        if file.is_dir() {
            copy(&file, &to.join(name));
        } else if file.extension().is_some_and(|kind| ["toml", "csv", "json"].iter().any(|known| kind == *known)) {
            fs::copy(&file, to.join(name)).expect("copied");
        }
    }
}
