def tracker_store(redis_url):
    return None
