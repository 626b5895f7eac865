//! Hashing and checking passwords: argon2id on as many threads of its own as there are cores. Each keeps the memory of one hash
//! and uses it again, so that a flood of sign-ins costs neither more memory nor more cores than one. What a password must be is
//! `domain::password`.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use domain::ceilings::PASSWORDS_WAITING_MAX;
use domain::password::NewPassword;
use password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;
use zeroize::{Zeroize as _, Zeroizing};

use crate::failure::{Broken, Busy};
use crate::random;

/// Bytes of a salt, as the PHC recommends.
const SALT_BYTES: usize = 16;

/// The hasher. Argon2id with the crate's defaults (19 MiB, two passes, one lane), OWASP's first choice. Cheap to clone; its threads
/// end with the last clone.
#[derive(Clone)]
pub struct Passwords {
    queue: SyncSender<Task>,
    /// What an unknown user's password is checked against, so that both answers take the same time.
    decoy: Arc<str>,
}

/// What is to be hashed, and where the hash goes.
struct Task {
    password: Zeroizing<String>,
    salt: Salt,
    params: Params,
    answer: oneshot::Sender<Result<Output, Broken>>,
}

impl Passwords {
    /// Starts the threads. The decoy is no hash of anything: nobody knows a password for random bytes.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn new() -> Result<Self, Broken> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (queue, tasks) = sync_channel(PASSWORDS_WAITING_MAX);
        let tasks = Arc::new(Mutex::new(tasks));
        for _ in 0..cores {
            let tasks = Arc::clone(&tasks);
            std::thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || work(&tasks))?;
        }
        let decoy = phc(salt()?, Output::new(&random::bytes::<32>())?)?;
        Ok(Self {
            queue,
            decoy: decoy.into(),
        })
    }

    /// Hashes a new password to a PHC string.
    ///
    /// # Errors
    /// [`Busy`] when too many wait already; when the thread fails.
    pub async fn hash(&self, password: NewPassword) -> Result<String, Broken> {
        let salt = salt()?;
        let password = password.expose().to_owned();
        let output = self.hashed(password, salt, Params::DEFAULT).await?;
        phc(salt, output)
    }

    /// True when `password` matches `stored`. Without a stored hash the decoy is checked and the answer is false, after
    /// the same work.
    ///
    /// # Errors
    /// [`Busy`] when too many wait already; when the stored hash cannot be read or the thread fails.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, Broken> {
        let unreadable = || Broken::new("stored password hash cannot be read");
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| self.decoy.to_string());
        let parsed = PasswordHash::new(&text).map_err(|_| unreadable())?;
        let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else {
            return Err(unreadable());
        };
        let is_ours = parsed.algorithm == Algorithm::Argon2id.ident()
            && parsed.version == Some(Version::V0x13.into());
        let params = Params::try_from(&parsed).map_err(|_| unreadable())?;
        // What is stored decides how much work is done, so it is not believed beyond what we write ourselves.
        if !is_ours
            || params.m_cost() > Params::DEFAULT_M_COST
            || params.t_cost() > Params::DEFAULT_T_COST
        {
            return Err(unreadable());
        }
        let output = self.hashed(password, salt, params).await?;
        let matches: bool = output.as_bytes().ct_eq(expected.as_bytes()).into();
        Ok(known && matches)
    }

    async fn hashed(&self, password: String, salt: Salt, params: Params) -> Result<Output, Broken> {
        let (answer, hashed) = oneshot::channel();
        let task = Task {
            password: Zeroizing::new(password),
            salt,
            params,
            answer,
        };
        match self.queue.try_send(task) {
            Ok(()) => hashed.await?,
            Err(TrySendError::Full(_)) => {
                metrics::counter!("passwords_refused_total").increment(1);
                Err(Busy.into())
            }
            Err(TrySendError::Disconnected(_)) => Err(Broken::new("the password threads ended")),
        }
    }
}

/// One thread: takes what waits until nobody can send any more. Its memory is taken with the first task, so that a process that
/// never hashes has none.
fn work(tasks: &Mutex<Receiver<Task>>) {
    let mut memory: Vec<Block> = Vec::new();
    // The lock is held while waiting and not while hashing: whoever comes next waits for it instead of for a task.
    while let Ok(task) = { tasks.lock().unwrap_or_else(PoisonError::into_inner).recv() } {
        // Whoever asked went away meanwhile; a flood of such is not worth a core.
        if task.answer.is_closed() {
            continue;
        }
        let hashed = hash(&task, &mut memory);
        // The one who asked may have left during the work.
        let _ = task.answer.send(hashed);
    }
}

fn hash(task: &Task, memory: &mut Vec<Block>) -> Result<Output, Broken> {
    let blocks = task.params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let failed = |_| Broken::new("password could not be hashed");
    let mut out = Zeroizing::new([0; Params::DEFAULT_OUTPUT_LEN]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, task.params.clone());
    let hashed = argon2.hash_password_into_with_memory(
        task.password.as_bytes(),
        &task.salt,
        out.as_mut_slice(),
        memory.as_mut_slice(),
    );
    // What the password was turned into does not lie around until the next one comes.
    memory.iter_mut().zeroize();
    hashed.map_err(failed)?;
    Ok(Output::new(out.as_slice())?)
}

fn salt() -> Result<Salt, Broken> {
    Ok(Salt::new(&random::bytes::<SALT_BYTES>())?)
}

fn phc(salt: Salt, output: Output) -> Result<String, Broken> {
    let params = ParamsString::try_from(&Params::DEFAULT);
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.map_err(|_| Broken::new("parameters that cannot be written"))?,
        salt: Some(salt),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests;
