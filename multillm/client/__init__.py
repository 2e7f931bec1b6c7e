"""Model calls: one `litellm.Router`, what it is told, what it answers and what becomes of failures."""

from multillm.client.model_client import ModelClient
from multillm.client.transport import Deployment

__all__ = ["Deployment", "ModelClient"]
