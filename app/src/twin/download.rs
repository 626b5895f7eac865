//! A file on its way: written piece by piece as its rows are read, with one part in memory at a time and no connection held
//! between parts. Each part is a snapshot of its own, and its head decides what stands above the rows.

use backend::Backend;
use backend::authority::actor::Actor;
use backend::failure::Broken;
use serde_json::{Value, json};

use super::asked::{AFTER, cursor_unknown};
use super::{Asked, Part, Place, Stop, Twin, csv};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line per row.
    Csv,
    /// One object.
    Json,
}

impl Format {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Json];

    /// The ending of its address.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

/// A file that is being written.
pub struct Download<T: Twin> {
    backend: Backend,
    actor: Actor,
    asked: Asked,
    query: T::Query,
    format: Format,
    /// Rows that may still be written.
    left: usize,
    written: usize,
    after: Option<String>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Rows,
    Done,
}

impl<T: Twin> Download<T> {
    /// Reads the first part, before the head of an answer is sent: so a breakage is a page and not a torn file.
    ///
    /// # Errors
    /// When something else was asked than the file can hold, or the database fails.
    pub async fn start(
        backend: Backend,
        actor: Actor,
        asked: Asked,
        format: Format,
    ) -> Result<(Self, Part<T>), Stop> {
        let mut problems = asked.problems::<T>();
        let rows = T::PAGES.map_or(Ok(usize::MAX), |pages| asked.rows(pages));
        let query = T::query(&asked);
        problems.extend(rows.as_ref().err().cloned());
        problems.extend(query.as_ref().err().into_iter().flatten().cloned());
        let (Ok(rows), Ok(query), true) = (rows, query, problems.is_empty()) else {
            return Err(Stop::Refused(problems));
        };
        let after = T::PAGES.and_then(|_| asked.get(AFTER));
        if let Some(after) = &after
            && !T::knows(&mut actor.view(&backend).await?, &query, after)
        {
            return Err(Stop::Refused(vec![cursor_unknown()]));
        }
        let download = Self {
            query,
            after,
            backend,
            actor,
            asked,
            format,
            left: rows,
            written: 0,
            stage: Stage::Head,
        };
        let first = download.read().await?;
        Ok((download, first))
    }

    async fn read(&self) -> Result<Part<T>, Stop> {
        let at_once = T::PAGES.map_or(usize::MAX, |pages| pages.at_once);
        let place = Place {
            after: self.after.as_deref(),
            rows: self.left.min(at_once),
        };
        let mut view = self.actor.view(&self.backend).await?;
        T::read(&mut view, &self.query, place).await
    }

    /// Whether the file ends with this part, the first.
    #[must_use]
    pub fn ends_with(&self, first: &Part<T>) -> bool {
        first.next.is_none() || first.rows.len() >= self.left
    }

    /// The next piece of the file, from a part that was read already or from the next one; none after the last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn piece(&mut self, read: Option<Part<T>>) -> Result<Option<String>, Broken> {
        if self.stage == Stage::Done {
            return Ok(None);
        }
        let part = match read {
            Some(part) => part,
            None => match self.read().await {
                Ok(part) => part,
                Err(Stop::Broken(broken)) => return Err(broken),
                // Whatever was to be refused was refused before the first row.
                Err(Stop::Refused(_)) => return Err(Broken::new("a file was refused halfway")),
            },
        };
        let mut text = match (self.stage, self.format) {
            (Stage::Head, Format::Csv) => {
                csv::BYTE_ORDER_MARK.to_owned() + &csv::text([T::COLUMNS.iter().copied()])
            }
            (Stage::Head, Format::Json) => head::<T>(&part.head)?,
            _ => String::new(),
        };
        self.stage = Stage::Rows;
        match self.format {
            Format::Csv => {
                let lines = part.rows.iter().flat_map(|row| T::lines(&part.head, row));
                let lines: Vec<Vec<String>> = lines.collect();
                text += &csv::text(lines.iter().map(|line| line.iter().map(String::as_str)));
            }
            Format::Json => {
                for (index, row) in part.rows.iter().enumerate() {
                    if self.written + index > 0 {
                        text.push_str(",\n");
                    }
                    text += &serde_json::to_string(row)?;
                }
            }
        }
        self.written += part.rows.len();
        self.left = self.left.saturating_sub(part.rows.len());
        if part.next.is_none() || self.left == 0 {
            text += &self.tail(part.next.as_deref());
            self.stage = Stage::Done;
        }
        self.after = part.next;
        Ok(Some(text))
    }

    /// How the file ends: whole, or cut with the place to go on from.
    fn tail(&self, next: Option<&str>) -> String {
        match (self.format, next) {
            (Format::Csv, None) => String::new(),
            (Format::Csv, Some(next)) => {
                let said = T::WORDS.iter().filter_map(|word| {
                    let said = self.asked.get(word.name)?;
                    // Only what an address carries as it is: a word that would need quoting is none of ours.
                    let is_plain = said
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                    is_plain.then(|| format!("&{}={said}", word.name))
                });
                format!(
                    "# cut after {} {}; older ones: {}.csv?after={next}{}\r\n",
                    self.written,
                    T::ROWS,
                    T::PATH,
                    said.collect::<String>()
                )
            }
            (Format::Json, next) => {
                let tail = json!({ "cut": next.is_some(), "next": next });
                format!("\n],{}\n", tail.to_string().trim_start_matches('{'))
            }
        }
    }
}

/// The object up to its first row.
fn head<T: Twin>(head: &T::Head) -> Result<String, Broken> {
    let facts = match serde_json::to_value(head)? {
        Value::Object(facts) => facts,
        _ => return Err(Broken::new("the head of a twin is no object")),
    };
    let mut text = "{".to_owned();
    for (name, fact) in facts {
        text += &format!("{}:{fact},", Value::from(name));
    }
    Ok(text + &format!("{}:[\n", Value::from(T::ROWS)))
}
