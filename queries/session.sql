-- The manners of the session, sent before anything else: dirty reads instead of locks, no long wait for a lock, and
-- the first to give way in a deadlock.

SET NOCOUNT ON;
SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;
SET LOCK_TIMEOUT 5000;
SET DEADLOCK_PRIORITY LOW;
