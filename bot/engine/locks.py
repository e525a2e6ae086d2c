def lock_store(redis_url):
    return None
