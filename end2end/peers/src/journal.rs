//! The append-only file that survives a kill: one JSON line per change of state, on disk before the answer leaves.
//! What a state is and what an entry does to it, each peer says.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A state that is rebuilt from the entries that made it.
pub(crate) trait Journaled: Clone + Serialize + DeserializeOwned {
    /// One change, as the journal keeps it.
    type Entry: Serialize + DeserializeOwned;

    /// Makes a change, live or when a journal is read: the same entries give the same state.
    fn apply(&mut self, entry: Self::Entry);
}

/// One line. A line is applied whole or, if a kill cut it short, not at all.
#[derive(Serialize, Deserialize)]
enum Line<S, E> {
    /// The state so far; always and only the first line.
    Base(Box<S>),
    /// What one request changed.
    Change(Vec<E>),
}

pub(crate) struct Journal<S> {
    file: File,
    of: PhantomData<S>,
}

impl<S: Journaled> Journal<S> {
    /// Reads the state in `dir` (or begins with `new`), rewrites the journal as that state alone and opens it for
    /// appending. Rewriting keeps start-up quick and lets erased tenants really leave the disk.
    pub(crate) fn open(dir: &Path, new: impl FnOnce() -> S) -> anyhow::Result<(Self, S)> {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let path = dir.join("journal.jsonl");
        let state = match read(&path)? {
            Some(state) => state,
            None => new(),
        };
        let fresh: PathBuf = dir.join("journal.jsonl.new");
        let mut file = File::create(&fresh)?;
        write_line::<S>(&mut file, &Line::Base(Box::new(state.clone())))?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(dir)?.sync_all()?;
        let file = OpenOptions::new().append(true).open(&path)?;
        let journal = Self {
            file,
            of: PhantomData,
        };
        Ok((journal, state))
    }

    /// Appends one change. With `durable` it is on disk when this returns; without, it survives a kill of the
    /// process but not of the machine.
    pub(crate) fn append(&mut self, entries: Vec<S::Entry>, durable: bool) -> io::Result<()> {
        write_line::<S>(&mut self.file, &Line::Change(entries))?;
        if durable {
            self.file.sync_data()
        } else {
            Ok(())
        }
    }
}

fn write_line<S: Journaled>(file: &mut File, line: &Line<S, S::Entry>) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    // One write call: a kill between two of them would leave half a line more often than needed.
    file.write_all(&bytes)
}

fn read<S: Journaled>(path: &Path) -> anyhow::Result<Option<S>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut reader = BufReader::new(file);
    let mut state: Option<S> = None;
    let mut bytes = Vec::new();
    for number in 1_u64.. {
        bytes.clear();
        reader.read_until(b'\n', &mut bytes)?;
        // No newline: the end, or a last line that a kill cut short and nobody was told about.
        if bytes.last() != Some(&b'\n') {
            break;
        }
        let line: Line<S, S::Entry> = serde_json::from_slice(&bytes)
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
