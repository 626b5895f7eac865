//! Sessions in our own table, for the session layer. Ids are stored hashed; create only inserts and save only updates,
//! so a slow request can never bring a session back that was ended meanwhile (reference/security.md 2.2).

use std::fmt;

use app::action::request::{CUSTOMER, KIND, USER_ID};
use async_trait::async_trait;
use backend::Backend;
use backend::authority::sessions::{self, SessionRow};
use backend::secret::sha256;
use domain::ceilings::SESSION_ABSOLUTE_DAYS;
use domain::id::UserId;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use uuid::Uuid;

/// Ids tried before giving up; two of 128 random bits never meet by chance.
const TRIES: usize = 3;
const VISITOR: &str = "visitor";

/// The store.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
}

impl Store {
    /// On the backend's database, by the backend's clock.
    #[must_use]
    pub const fn new(backend: Backend) -> Self {
        Self { backend }
    }

    fn row(&self, record: &Record) -> Result<SessionRow> {
        let text = |key: &str| record.data.get(key).and_then(|value| value.as_str());
        let user_id = text(USER_ID)
            .and_then(|text| text.parse::<Uuid>().ok())
            .map(UserId);
        let kind = if user_id.is_some() && text(KIND) == Some(CUSTOMER) {
            CUSTOMER
        } else {
            VISITOR
        };
        Ok(SessionRow {
            id_hash: hash(&record.id),
            user_id,
            kind: kind.to_owned(),
            data: serde_json::to_value(&record.data)
                .map_err(|error| Error::Encode(error.to_string()))?,
            // The end in any case; the table knows when the session was last seen and ends it earlier when idle.
            expires_at: self.backend.clock().now() + time::Duration::days(SESSION_ABSOLUTE_DAYS),
        })
    }
}

/// The hash of what the cookie holds, byte by byte.
pub fn hash(id: &Id) -> [u8; 32] {
    sha256(id.to_string().as_bytes())
}

fn failed(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        for _ in 0..TRIES {
            let row = self.row(record)?;
            if sessions::insert(&self.backend, &row, self.backend.clock().now())
                .await
                .map_err(failed)?
            {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(Error::Backend("no free session id".to_owned()))
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let row = self.row(record)?;
        let is_alive = sessions::update(&self.backend, &row, self.backend.clock().now())
            .await
            .map_err(failed)?;
        if !is_alive {
            // Ended by another request while this one ran. It stays ended; the next request loses the cookie.
            tracing::info!("a session ended while a request of it ran");
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let row = sessions::load(&self.backend, &hash(id), self.backend.clock().now())
            .await
            .map_err(failed)?;
        row.map(|row| {
            let data = serde_json::from_value(row.data)
                .map_err(|error| Error::Decode(error.to_string()))?;
            Ok(Record {
                id: *id,
                data,
                expiry_date: row.expires_at,
            })
        })
        .transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sessions::delete(&self.backend, &hash(id))
            .await
            .map_err(failed)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}
