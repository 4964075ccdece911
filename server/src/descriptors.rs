//! Descriptors: each connection and each open file is one, and a process is given few of them unless it asks for more.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What a process has where the system does not say: the soft limit of most.
const USUAL: u64 = 1_024;

/// Beside connections: the database and its log, sockets, pipes, the poll of each thread. About 30 are open at rest, and each connection to the database opens three.
const OWN: usize = 256;

/// Descriptors that this process may have open at a time, and who gets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptors {
    limit: usize,
}

impl Descriptors {
    /// Raises what the process is given (the soft limit of `setrlimit(2)`) to what it may have (the hard one). Where the
    /// system refuses, what was given stays.
    pub(crate) fn raise() -> Self {
        let (given, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((USUAL, USUAL));
        let raised = setrlimit(Resource::RLIMIT_NOFILE, most, most);
        let limit = if raised.is_ok() { most } else { given };
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX) }
    }

    /// Says how many there are, and warns if they are fewer than `connections` need.
    pub(crate) fn tell(self, connections: usize) {
        let Self { limit } = self;
        let wanted = connections.saturating_add(OWN);
        if limit < wanted {
            tracing::warn!(
                limit,
                wanted,
                "{limit} files may be open at once where {wanted} are wanted: fewer connections are taken; raise LimitNOFILE"
            );
        } else {
            tracing::info!(limit, "{limit} files may be open at once");
        }
    }

    /// TCP connections for pages and WebSockets: at most half, so that strangers leave the database and the relay theirs.
    pub(crate) fn for_pages(self, most: usize) -> usize {
        most.min(self.limit / 2)
    }

    /// TCP connections of each of `workers`: at most a quarter among them.
    pub(crate) fn for_media(self, most: usize, workers: usize) -> usize {
        most.min(self.limit / 4 / workers.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_descriptors_are_few_a_quarter_is_left_for_the_database_and_all_else() {
        let few = Descriptors { limit: 1_024 };
        assert_eq!((few.for_pages(8_192), few.for_media(1_024, 1)), (512, 256));
        assert_eq!(few.for_media(1_024, 4), 64);
        let many = Descriptors { limit: 65_536 };
        assert_eq!((many.for_pages(8_192), many.for_media(1_024, 3)), (8_192, 1_024));
    }

    #[test]
    fn what_was_raised_cannot_be_raised_further() {
        let raised = Descriptors::raise();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!(soft, hard);
        assert_eq!(Descriptors::raise(), raised);
    }
}
