"""WeChat Work (企业微信): a self-built app in callback mode. Protocol: https://developer.work.weixin.qq.com/document/."""
