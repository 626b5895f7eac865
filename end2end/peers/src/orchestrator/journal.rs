//! The append-only file that survives a kill: one JSON line per change of state, on disk before the answer leaves.
//! What the entries mean is state.rs.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::state::{Entry, State};

/// One line. A line is applied whole or, if a kill cut it short, not at all.
#[derive(Serialize, Deserialize)]
enum Line {
    /// The state so far; always and only the first line.
    Base(Box<State>),
    /// What one request changed.
    Change(Vec<Entry>),
}

pub(crate) struct Journal {
    file: File,
}

impl Journal {
    /// Reads the state in `dir` (or begins with `new`), rewrites the journal as that state alone and opens it for
    /// appending. Rewriting keeps start-up quick and lets erased tenants really leave the disk.
    pub(crate) fn open(dir: &Path, new: impl FnOnce() -> State) -> anyhow::Result<(Self, State)> {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let path = dir.join("journal.jsonl");
        let state = match read(&path)? {
            Some(state) => state,
            None => new(),
        };
        let fresh: PathBuf = dir.join("journal.jsonl.new");
        let mut file = File::create(&fresh)?;
        write_line(&mut file, &Line::Base(Box::new(state.clone())))?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(dir)?.sync_all()?;
        let file = OpenOptions::new().append(true).open(&path)?;
        Ok((Self { file }, state))
    }

    /// Appends one change. With `durable` it is on disk when this returns; without, it survives a kill of the
    /// process but not of the machine.
    pub(crate) fn append(&mut self, entries: Vec<Entry>, durable: bool) -> io::Result<()> {
        write_line(&mut self.file, &Line::Change(entries))?;
        if durable {
            self.file.sync_data()
        } else {
            Ok(())
        }
    }
}

fn write_line(file: &mut File, line: &Line) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    // One write call: a kill between two of them would leave half a line more often than needed.
    file.write_all(&bytes)
}

fn read(path: &Path) -> anyhow::Result<Option<State>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut reader = BufReader::new(file);
    let mut state: Option<State> = None;
    let mut bytes = Vec::new();
    for number in 1_u64.. {
        bytes.clear();
        reader.read_until(b'\n', &mut bytes)?;
        // No newline: the end, or a last line that a kill cut short and nobody was told about.
        if bytes.last() != Some(&b'\n') {
            break;
        }
        let line: Line = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} line {number} is damaged", path.display()))?;
        match (line, state.as_mut()) {
            (Line::Base(base), None) => state = Some(*base),
            (Line::Change(entries), Some(state)) => {
                entries.into_iter().for_each(|entry| state.apply(entry))
            }
            _ => anyhow::bail!("{} line {number} is out of place", path.display()),
        }
    }
    Ok(state)
}
